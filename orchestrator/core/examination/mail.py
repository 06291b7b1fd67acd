"""Does anybody get the e-mails: outcomes of releases, and alarms?"""

from __future__ import annotations

from orchestrator.core.examination.findings import Check, Finding
from orchestrator.core.examination.ports import Subscription, Subscriptions

CONFIRM = (
    "Click the link in the e-mail of AWS Notifications. It is good for two days; after that `aws sns subscribe`, with "
    "the topic of the output TopicArn, sends another."
)


def look_at_mail(subscriptions: Subscriptions) -> tuple[Finding, ...]:
    """Each subscription, and whether it is confirmed."""
    known = subscriptions.all()
    if not known:
        fix = "Set notification_email and deploy MlopsOrchestrator, unless Slack alone is meant."
        return (Finding.warning(Check.MAIL, "nobody is subscribed to outcomes and alarms", fix),)
    return tuple(_subscription(one) for one in known)


def _subscription(one: Subscription) -> Finding:
    about = one.endpoint if one.protocol.startswith("email") else f"{one.protocol} {one.endpoint}"
    if one.confirmed:
        return Finding.ok(Check.MAIL, "is subscribed to outcomes and alarms", about)
    return Finding.fault(Check.MAIL, "has not confirmed the subscription, and gets nothing", CONFIRM, about)
