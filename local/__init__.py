"""Everything that runs on a laptop only: the embedded cloud, the local Slack page, the demo."""
