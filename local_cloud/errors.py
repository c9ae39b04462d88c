"""Errors that a person can act on."""


class CloudError(Exception):
    """Something the local cloud cannot do, in one line, with the way out.

    ``problem`` says what is wrong; ``fix`` says what to run or which variable to change.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}. Fix: {fix}.")
        self.problem = problem
        self.fix = fix
