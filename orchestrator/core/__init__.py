"""What the product knows: rules and data types, on the standard library and fastjsonschema alone."""
