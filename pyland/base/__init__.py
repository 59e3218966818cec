"""Floor 0: errors, logging, registry of variables, parallel stand-in. Imports nothing of pyland."""
