"""The AWS SDK for JavaScript v3 against the node; each scenario is a function of scenarios.js."""

import re
import shutil
from pathlib import Path

import pytest

from support.accounts import MAIN, REGION
from support.command import Command
from support.server import REPOSITORY

PROGRAM = Path(__file__).with_name("scenarios.js")
SCENARIOS = re.findall(r"^exports\.(\w+) =", PROGRAM.read_text(), re.MULTILINE)
# Filled by scripts/install_clients from package-lock.json.
MODULES = REPOSITORY / "target/javascript/node_modules"


@pytest.fixture
def scenarios(node, bucket, tmp_path):
    program = shutil.which("node")
    assert program and MODULES.exists(), "Node.js or the SDK is missing: run scripts/install_clients"
    environment = {
        "NODE_PATH": str(MODULES),
        "S3_ENDPOINT": node.endpoint,
        "S3_REGION": REGION,
        "S3_BUCKET": bucket,
        "AWS_ACCESS_KEY_ID": MAIN.access_key,
        "AWS_SECRET_ACCESS_KEY": MAIN.secret_key,
    }
    return Command(program, PROGRAM, home=tmp_path, environment=environment)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(scenarios, name):
    scenarios(name)
