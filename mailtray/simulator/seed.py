"""Believable mail: what the default account finds on its first day, and subjects for more."""

from datetime import datetime, timedelta
from enum import Enum

from mailtray.simulator.mailbox import Mailbox

SUBJECTS = (
    "Minutes of Tuesday's meeting",
    "Your parcel is on its way",
    "Lunch on Thursday?",
    "Invoice 2041 is ready",
    "Question about the schedule",
    "Photos from the weekend",
    "Build 118 is green again",
    "Room change for the workshop",
    "A second pair of eyes, please",
    "Holiday rota",
)


class Subject(Enum):
    """What stands for a subject where none is given."""

    NEXT = "the next of SUBJECTS"


_OLDER = (
    # (days ago, hours ago, sender, address, subject, preview, read)
    (9, 2, "Charles Babbage", "charles@fabrikam.example", "Drawings, second set",
     "The gears of the mill are on sheets 4 to 9. Tell me what you think.", True),
    (6, 5, "Facilities", "facilities@contoso.example", "Lift out of order on Friday",
     "Please use the stairs at the east end between 9 and 11.", True),
    (4, 1, "Mary Somerville", "mary@adatum.example", "Reading list",
     "Here are the three papers I spoke of. The middle one is the best.", False),
    (2, 7, "Travel desk", "travel@contoso.example", "Your trip to Turin",
     "Your tickets are attached. The train leaves at 8:14 from platform 3.", True),
    (1, 3, "Luigi Menabrea", "luigi@adatum.example", "Notes on your notes",
     "I have translated the first half. Note G took me the longest.", False),
    (0, 6, "Payroll", "payroll@contoso.example", "Payslip for this month",
     "Your payslip can now be seen in the staff portal.", True),
)  # fmt: skip


def fill(mailbox: Mailbox, now: datetime) -> None:
    """Give a mailbox a subfolder, six older messages in the inbox and one in Archive."""
    mailbox.add_folder("Projects", parent="inbox")
    for days, hours, name, address, subject, preview, is_read in _OLDER:
        content = _content(name, address, subject, preview)
        content |= {"received": now - timedelta(days=days, hours=hours), "is_read": is_read}
        mailbox.deliver(mailbox.folder("inbox"), content)
    old = _content("Annabella", "annabella@adatum.example", "Happy birthday", "Many returns!")
    old |= {"received": now - timedelta(days=30), "is_read": True}
    mailbox.deliver(mailbox.folder("archive"), old)


def _content(name: str, address: str, subject: str, preview: str) -> dict[str, object]:
    return {
        "sender_name": name,
        "sender_address": address,
        "subject": subject,
        "preview": preview,
    }
