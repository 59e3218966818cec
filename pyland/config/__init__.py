"""Floor 1: the configuration of a case: schema, reading with line numbers, all errors at once."""

from pyland.config.case import CaseConfig
from pyland.config.load import CASE_FILE, config_hash, dump_case, load_case
from pyland.config.schema import json_schema, markdown

__all__ = ["CASE_FILE", "CaseConfig", "config_hash", "dump_case", "json_schema", "load_case", "markdown"]
