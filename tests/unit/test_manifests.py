"""The manifests in the documentation are ones that Kubernetes would take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")
kubernetes_validate = pytest.importorskip("kubernetes_validate")

PAGES = sorted((Path(__file__).parents[2] / "docs").rglob("*.md"))
MANIFESTS = [
    pytest.param(document, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    for document in yaml.safe_load_all(block)
    if isinstance(document, dict) and "apiVersion" in document
]


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_manifest_is_valid(manifest):
    assert kubernetes_validate.validate(manifest, "1.31", strict=True)


def test_there_are_manifests_and_a_wrong_one_is_refused():
    assert len(MANIFESTS) >= 2
    wrong = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [{"nam": "x"}]}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.31", strict=True)
