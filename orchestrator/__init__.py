"""MLOps Orchestrator: what the product knows (``core``) and how it talks to AWS (``aws``)."""
