"""The way in of files and calls: what each becomes, and in which order of uploads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from orchestrator.core import strict_json
from orchestrator.core.deliveries import LatestUpload
from orchestrator.core.errors import SourceGone
from orchestrator.core.events import Upload
from orchestrator.core.model_cards.request import ModelCardRequest, model_card_in
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.steps.answer_model_card import EVERY_CARD, OVERTAKEN, answer_model_card
from orchestrator.core.steps.checking import check_references, checked_file
from orchestrator.core.steps.claims import claim, delivery, known, own_request, recorded, release_id
from orchestrator.core.steps.progress import TICK, read_stamp, stamp
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.start_releases import AS_IT_COMES, Terms, refuse, start_checked, start_or_refuse, told
from orchestrator.core.upsert import upsert

REQUESTER_METADATA = "requester"
"""User metadata of an upload (``x-amz-meta-requester``) in which an uploader may say who he is: a claim."""


def receive_upload(upload: Upload, reception: Reception) -> Receipt:
    """A configuration file was written to the assets bucket.

    A file with problems, or one that cannot be read, becomes one refused release, so that the uploader is told in
    Slack and by e-mail; nothing is started then. It counts as the newest version all the same.
    """
    source = Source(SourceKind.S3, upload.bucket, upload.key, upload.version_id)
    requester = UNKNOWN
    moment, overtaken = note_upload(upload, reception)
    terms = Terms(asked_at=moment, overtaken=OVERTAKEN if overtaken else "")
    try:
        described = reception.objects.describe(upload.bucket, upload.key, upload.version_id)
        requester = claimed_requester(dict(described.metadata))
        # Anything may bear the name; a large file would be more than the function's memory.
        strict_json.check_size(described.size)
        data = reception.objects.read(upload.bucket, upload.key, upload.version_id)
    except BadConfiguration as error:
        return refuse(source, requester, [problem.sentence for problem in error.problems], reception, terms)
    except SourceGone as error:
        return refuse(source, requester, [f"The file was deleted before it was read: {error}"], reception, terms)
    return receive_file(source, requester, data, reception, terms)


def receive_file(
    source: Source, requester: Identity, data: bytes, reception: Reception, terms: Terms = AS_IT_COMES
) -> Receipt:
    """A file that nobody waits beside: configurations, or one operation on model cards; refused in the records."""
    try:
        card = model_card_in(data)
    except BadConfiguration as error:
        return refuse(source, requester, [problem.sentence for problem in error.problems], reception, terms)
    if card is not None:
        return _answer_card(card, source, requester, reception, overtaken=bool(terms.overtaken))
    return start_or_refuse(source, requester, data, reception, terms)


def _answer_card(
    card: ModelCardRequest, source: Source, requester: Identity, reception: Reception, *, overtaken: bool
) -> Receipt:
    """Claim the delivery, do the operation, record it; a repeated delivery finds the record and does nothing."""
    this = delivery(source)
    name = release_id(card.name.lower() or EVERY_CARD, this, 0)
    duplicate = claim(this, (name,), reception) is not None
    if duplicate and (found := known((name,), reception.store)):
        return Receipt(found, duplicate)
    done = answer_model_card(
        card,
        name,
        source,
        requester,
        cards=reception.cards,
        objects=reception.objects,
        assets_bucket=reception.assets_bucket,
        packages_bucket=reception.packages_bucket,
        now=reception.now,
        again=duplicate,
        overtaken=overtaken,
    )
    done = replace(done, problems=told(done.problems), warnings=told(done.warnings))
    return recorded(done, reception, duplicate=duplicate)


def refuse_upload(bucket: str, key: str, event_id: str, why: str, reception: Reception) -> Receipt:
    """An upload that cannot be released whatever is in it, such as one without a version: told, not dropped."""
    return refuse(Source(SourceKind.S3, bucket, key, request=event_id), UNKNOWN, [why], reception)


def receive_body(
    data: bytes, requester: Identity, request_token: str, reception: Reception, *, force: bool = False
) -> Receipt:
    """A configuration came as the body of a call; raises ``BadConfiguration``, and then leaves nothing behind.

    The caller waits for the answer, so what the configuration names is looked for at once.
    """
    checked = checked_file(data, reception)
    check_references(checked, reception)
    asked = b"force\n" + data if force else data
    source = Source(SourceKind.API, request=own_request(request_token, requester, asked))
    return start_checked(source, requester, checked, reception, Terms(force=force))


def note_upload(upload: Upload, reception: Reception) -> tuple[datetime, bool]:
    """When this version counts as asked for, and whether the event of a newer one has arrived.

    One conditional write decides both, so that of two versions the newer one is always asked for later: two functions
    that receive them at once may stand still anywhere, and their clocks need not agree.
    """
    moment = reception.now()
    if not upload.sequencer:
        return moment, False
    this = LatestUpload(upload.bucket, upload.key, upload.version_id, upload.sequencer, stamp(moment))

    def latest(known: LatestUpload) -> LatestUpload:
        if not this.is_newer_than(known.sequencer):
            return known
        after = read_stamp(known.asked_at) + TICK if known.asked_at else moment
        return replace(this, asked_at=stamp(max(moment, after)))

    stands = upsert(reception.store, this, latest)
    # The same version again is itself, whatever its event says of the order.
    overtaken = stands.version_id != upload.version_id and stands.is_newer_than(upload.sequencer)
    return read_stamp(stands.asked_at) if stands.asked_at else moment, overtaken


def claimed_requester(metadata: Mapping[str, Any]) -> Identity:
    """An S3 event names an account only; what the uploader says about himself in the metadata is a claim."""
    claimed = str(metadata.get(REQUESTER_METADATA, "")).strip()
    if not claimed:
        return UNKNOWN
    kind = IdentityKind.EMAIL if "@" in claimed else IdentityKind.IAM
    return Identity(kind, claimed[:254], verified=False)
