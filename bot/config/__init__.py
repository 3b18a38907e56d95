"""guardian.yaml and the environment → frozen values; all errors at once, with path and line."""

from bot.config.kpis import RuleBook
from bot.config.loading import find_file, language_of, load
from bot.config.problems import ConfigProblem, ConfigurationInvalid
from bot.config.secrets import Secrets, read_secret
from bot.config.settings import Settings

__all__ = [
    "ConfigProblem",
    "ConfigurationInvalid",
    "RuleBook",
    "Secrets",
    "Settings",
    "find_file",
    "language_of",
    "load",
    "read_secret",
]
