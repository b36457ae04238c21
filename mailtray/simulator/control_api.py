"""The control panel for programs: JSON below ``/_sim/``, named as `Cloud`'s methods.

A body must be sent as ``application/json``, so that no page of another site can reach it
without the browser asking first.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from mailtray.simulator.cloud import Cloud, UnknownAccountError, UnknownItemError
from mailtray.simulator.faults import fault_from_json
from mailtray.simulator.mailbox import Mailbox
from mailtray.simulator.resources import OMIT
from mailtray.simulator.times import parse_time, wire_time
from mailtray.simulator.web import cloud

blueprint = Blueprint("control_api", __name__, url_prefix="/_sim")

Fields = dict[str, object]


class BadInputError(ValueError):
    """A field is missing, unknown or of the wrong type."""


@blueprint.errorhandler(ValueError)
@blueprint.errorhandler(LookupError)
def _refused(error: Exception) -> tuple[Response, int]:
    status = 404 if isinstance(error, UnknownAccountError | UnknownItemError) else 400
    return jsonify({"error": str(error)}), status


@blueprint.errorhandler(HTTPException)
def _http_error(error: HTTPException) -> tuple[Response, int]:
    return jsonify({"error": error.description or ""}), error.code or 500


def _fields(**allowed: type | tuple[type, ...]) -> Fields:
    """Read the JSON object of the request and check its fields' types."""
    if not request.get_data():
        return {}
    if not request.is_json:
        raise BadInputError("The body must be sent as Content-Type application/json.")
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise BadInputError("The body must be a JSON object.")
    for name, value in given.items():
        if name not in allowed:
            known = ", ".join(sorted(allowed))
            raise BadInputError(f"There is no field {name!r} here. Known are: {known}.")
        kind = allowed[name]
        is_flag = isinstance(value, bool)
        if not isinstance(value, kind) or (is_flag and kind is not bool):
            raise BadInputError(f"The field {name!r} has the wrong type.")
    return dict(given)


def _need(fields: Fields, *names: str) -> None:
    for name in names:
        if name not in fields:
            raise BadInputError(f"The field {name!r} is missing.")


NULLABLE_TEXT = (str, type(None))


@blueprint.get("/state")
def state() -> Response:
    """Show accounts, folders with counters, messages and knobs."""
    here = cloud()
    with here.lock:
        accounts = [
            {
                "username": account.username,
                "name": account.name,
                "kind": account.kind,
                "home_account_id": account.home_account_id,
                "tenant_id": account.tenant_id,
                "shared_with": sorted(account.shared_with),
                "consents": {k: sorted(v) for k, v in account.consents.items()},
                **_mail(account.mailbox),
            }
            for account in here.accounts.values()
        ]
        return jsonify({"url": here.base_url, "accounts": accounts, "settings": here.settings()})


def _mail(mailbox: Mailbox) -> Fields:
    folders = [
        {
            "id": folder.id,
            "name": folder.name,
            "well_known": folder.well_known,
            "parent": folder.parent_id or None,
            "unread": folder.unread,
            "total": folder.total,
        }
        for folder in mailbox.folders.values()
    ]
    messages = [
        {
            "id": message.key,
            "subject": message.subject,
            "is_read": message.is_read,
            "folder": mailbox.folders[message.folder_id].well_known or message.folder_id,
            "received": wire_time(message.received),
        }
        for message in mailbox.messages.values()
    ]
    return {"folders": folders, "messages": messages}


@blueprint.post("/accounts")
def accounts() -> tuple[Response, int]:
    """Add an account: `username`, `name`, `kind`."""
    fields = _fields(username=str, name=str, kind=str)
    _need(fields, "username", "name")
    if fields.get("kind", "work") not in {"work", "personal"}:
        raise BadInputError('kind must be "work" or "personal".')
    account = cloud().add_account(**fields)  # type: ignore[arg-type]  # checked above
    return jsonify({"username": account.username, "home_account_id": account.home_account_id}), 201


@blueprint.post("/share")
def share() -> Response:
    """Share the mailbox of `owner` with `reader`."""
    fields = _fields(owner=str, reader=str)
    _need(fields, "owner", "reader")
    cloud().share_mailbox(str(fields["owner"]), reader=str(fields["reader"]))
    return _done()


@blueprint.post("/folders")
def folders() -> tuple[Response, int]:
    """Add a folder: `name`, `parent`, `username`."""
    fields = _fields(name=str, parent=str, username=NULLABLE_TEXT)
    _need(fields, "name")
    return jsonify({"id": cloud().add_folder(**fields)}), 201  # type: ignore[arg-type]  # checked above


@blueprint.post("/deliver")
def deliver() -> tuple[Response, int]:
    """Deliver messages: the arguments of `Cloud.deliver`, and `omit`, a list of properties."""
    fields = _fields(
        username=NULLABLE_TEXT,
        count=int,
        sender_name=NULLABLE_TEXT,
        sender_address=NULLABLE_TEXT,
        subject=NULLABLE_TEXT,
        preview=NULLABLE_TEXT,
        folder=str,
        is_read=bool,
        received=NULLABLE_TEXT,
        importance=str,
        inference_classification=str,
        to=(list, type(None)),
        cc=list,
        conversation_id=NULLABLE_TEXT,
        meeting=NULLABLE_TEXT,
        starts=NULLABLE_TEXT,
        odata_type=NULLABLE_TEXT,
        overrides=(dict, type(None)),
        omit=list,
    )
    omitted = fields.pop("omit", [])
    for name in ("received", "starts"):
        if isinstance(fields.get(name), str):
            fields[name] = _moment(name, str(fields[name]))
    for name in ("to", "cc"):
        if fields.get(name) is not None:
            fields[name] = _texts(name, fields[name])
    overrides = fields.get("overrides") or {}
    if isinstance(overrides, Mapping) and isinstance(omitted, list):
        fields["overrides"] = {**overrides, **dict.fromkeys(map(str, omitted), OMIT)}
    return jsonify({"ids": cloud().deliver(**fields)}), 201  # type: ignore[arg-type]  # checked above


def _moment(name: str, text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError as exc:
        raise BadInputError(f"{name} is no ISO 8601 time: {text!r}.") from exc


def _texts(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadInputError(f"{name} must be a list of texts.")
    return value


def _ids(fields: Fields) -> list[str]:
    _need(fields, "ids")
    ids = fields["ids"]
    return _texts("ids", [ids] if isinstance(ids, str) else ids)


def _done() -> Response:
    return jsonify({"ok": True})


@blueprint.post("/mark")
def mark() -> Response:
    """Mark `ids` read or unread: `is_read`."""
    fields = _fields(ids=(list, str), is_read=bool)
    _need(fields, "is_read")
    cloud().mark(_ids(fields), is_read=bool(fields["is_read"]))
    return _done()


@blueprint.post("/move")
def move() -> Response:
    """Move `ids` to `folder`."""
    fields = _fields(ids=(list, str), folder=str)
    _need(fields, "folder")
    cloud().move(_ids(fields), str(fields["folder"]))
    return _done()


@blueprint.post("/delete")
def delete() -> Response:
    """Delete `ids`."""
    cloud().delete(_ids(_fields(ids=(list, str))))
    return _done()


def _for_username(act: Callable[[Cloud, str | None], None]) -> Response:
    username = _fields(username=NULLABLE_TEXT).get("username")
    act(cloud(), None if username is None else str(username))
    return _done()


@blueprint.post("/tokens/expire")
def expire() -> Response:
    """Expire the access tokens of `username`, or of all."""
    return _for_username(Cloud.expire_access_tokens)


@blueprint.post("/tokens/challenge")
def challenge() -> Response:
    """Answer Graph calls of `username` with a claims challenge."""
    return _for_username(Cloud.challenge_next)


@blueprint.post("/tokens/revoke")
def revoke() -> Response:
    """Revoke refresh tokens: the arguments of `Cloud.revoke_refresh_tokens`."""
    fields = _fields(
        username=NULLABLE_TEXT,
        aadsts=int,
        suberror=NULLABLE_TEXT,
        error=str,
        claims=(dict, str, type(None)),
    )
    cloud().revoke_refresh_tokens(**fields)  # type: ignore[arg-type]  # checked above
    return _done()


@blueprint.post("/sync/drop")
def drop() -> Response:
    """Drop the sync state of `username`, or of all."""
    return _for_username(Cloud.drop_sync_state)


@blueprint.get("/faults")
def faults() -> Response:
    """List the faults in force."""
    here = cloud()
    with here.lock:
        return jsonify({"faults": here.faults.describe()})


@blueprint.post("/faults")
def add_fault() -> tuple[Response, int]:
    """Queue a fault: the fields of `Fault`."""
    given = request.get_json(silent=True) if request.is_json else None
    if not isinstance(given, dict):
        raise BadInputError("The body must be a JSON object, sent as application/json.")
    return jsonify({"fault_id": cloud().add_fault(fault_from_json(given))}), 201


@blueprint.delete("/faults")
def clear_faults() -> Response:
    """Forget all faults."""
    cloud().clear_faults()
    return _done()


@blueprint.get("/log")
def log() -> Response:
    """Show the request log and its counts."""
    here = cloud()
    with here.lock:
        requests = [asdict(each) for each in here.log()]
        return jsonify({"requests": requests, "counts": here.counts()})


@blueprint.delete("/log")
def clear_log() -> Response:
    """Forget the request log and its counts."""
    cloud().clear_log()
    return _done()


@blueprint.post("/reset")
def reset() -> Response:
    """Begin anew."""
    cloud().reset()
    return _done()


@blueprint.post("/settings")
def settings() -> Response:
    """Turn knobs; answers with all of them."""
    here = cloud()
    given = request.get_json(silent=True) if request.is_json else None
    if not isinstance(given, dict):
        raise BadInputError("The body must be a JSON object, sent as application/json.")
    with here.lock:
        here.turn(given)
        return jsonify(here.settings())
