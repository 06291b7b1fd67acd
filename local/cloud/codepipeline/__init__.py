"""CodePipeline: pipelines of S3 and connection sources, CloudFormation, S3 and approval actions, which run."""
