"""SageMaker model cards: six operations that make no stack and are answered at once."""
