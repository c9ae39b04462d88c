"""Errors with a fix that the user can apply."""


class CloudError(Exception):
    """An error of the local cloud, in one line, with its fix.

    ``problem`` says what is wrong; ``fix`` says what to run or which variable to change.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}. Fix: {fix}.")
        self.problem = problem
        self.fix = fix
