"""The local Slack page: a Slack workspace's stand-in on one machine, for trying approvals and for tests.

It speaks Slack's Web API to the app (`web_api`), refuses what Slack refuses (`checks`), shows messages, dialogs and the
app's Home in a browser (`page`, `static/`), and sends what people do there to the app's front as signed requests
(`interactions`, `commands`). State is in memory: ending the process forgets it.

    python -m local.slack --port 8765 --front-url http://127.0.0.1:3000 --secret-file FILE

Tests and the demo start it by `local.slack.client.SlackPage`.
"""
