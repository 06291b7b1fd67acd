"""The AWS services as the steps need them: one module per service, each takes a boto3 client and raises core errors."""
