"""Target of the table's stream: keeps each release's Slack message current and sends its e-mails."""
