"""CodeCommit: its reading API over real Git repositories, and pushes that IAM is asked about."""
