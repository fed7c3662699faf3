"""Many calls at one moment, each on a thread of its own."""

import threading

from botocore.exceptions import ClientError


def at_once(jobs) -> list:
    """Runs all jobs together; returns for each its result or the ClientError that it raised."""
    jobs = list(jobs)
    barrier = threading.Barrier(len(jobs))
    outcomes = [None] * len(jobs)

    def run(index, job):
        barrier.wait()
        try:
            outcomes[index] = job()
        except Exception as failure:
            outcomes[index] = failure

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    unexpected = [outcome for outcome in outcomes if isinstance(outcome, Exception) and not is_refusal(outcome)]
    if unexpected:
        raise unexpected[0]
    return outcomes


def is_refusal(outcome) -> bool:
    return isinstance(outcome, ClientError)


def refusal(error: ClientError) -> tuple[int, str]:
    """Status and code of a ClientError."""
    return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
