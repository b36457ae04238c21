"""Pure decisions: values in, values out, with no clock, no input or output and no thread."""
