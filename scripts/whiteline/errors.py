"""The one exception that a user is meant to read."""


class InputError(ValueError):
    """Bad input, told in one sentence: what is wrong, where (file, line, key), what would be
    right.
    """
