"""Whole releases on the embedded cloud, IAM enforcement on: what the product is for, tried as its users use it."""
