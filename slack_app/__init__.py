"""The product's face in Slack: a tiny front that Slack speaks to, and a worker that runs the real Bolt app."""
