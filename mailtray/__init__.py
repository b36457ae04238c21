"""mailtray: told once about every new message in a Microsoft 365 or Outlook.com mailbox."""

__version__ = "0.1.0"
