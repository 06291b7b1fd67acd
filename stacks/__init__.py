"""The CDK app: two stacks and the constructs they compose. Wiring only; nothing here runs in Lambda."""
