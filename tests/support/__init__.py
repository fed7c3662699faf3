"""What the outside suites share: the server under test, a small signer, raw HTTP, payloads."""
