"""Container images: which registry, repository and tag, for every framework and region."""

from __future__ import annotations

import re

import pytest

from orchestrator.core import images
from orchestrator.core.images import UnknownImage, image_uri, repository_arn, table

DLC = "763104351884.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("framework", "version", "region", "instance", "uri"),
    [
        (
            "sklearn",
            "1.2-1",
            "us-east-1",
            "ml.m5.large",
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        ),
        (
            "xgboost",
            "1.7-1",
            "eu-central-1",
            "ml.m5.large",
            "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        ),
        ("pytorch", "2.1", "us-east-1", "ml.g5.xlarge", f"{DLC}/pytorch-inference:2.1-gpu-py310"),
        ("pytorch", "2.1", "us-east-1", "ml.c5.xlarge", f"{DLC}/pytorch-inference:2.1-cpu-py310"),
        ("tensorflow", "2.12", "us-east-1", "ml.p3.2xlarge", f"{DLC}/tensorflow-inference:2.12-gpu"),
        ("tensorflow", "2.12", "us-east-1", "", f"{DLC}/tensorflow-inference:2.12-cpu"),
        (
            "linear-learner",
            "1",
            "us-east-1",
            "ml.m5.large",
            "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
        ),
        (
            "linear-learner",
            "whatever",
            "us-east-1",
            "ml.m5.large",
            "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
        ),
        (
            "sklearn",
            "1.2-1",
            "cn-north-1",
            "ml.m5.large",
            "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-scikit-learn:1.2-1-cpu-py3",
        ),
    ],
)
def test_images(framework: str, version: str, region: str, instance: str, uri: str) -> None:
    assert image_uri(framework, version, region, instance) == uri


def test_graviton_has_images_of_its_own() -> None:
    uri = image_uri("sklearn", "1.0-1", "us-east-1", "ml.c6g.large")
    assert "arm64" in uri
    with pytest.raises(UnknownImage) as unknown:
        image_uri("linear-learner", "1", "us-east-1", "ml.m7gd.large")
    assert unknown.value.about == "instance"


@pytest.mark.parametrize("family", ["g4dn", "g5", "p3", "p4d", "g6e"])
def test_families_with_a_gpu(family: str) -> None:
    assert "-gpu-" in image_uri("pytorch", "1.12", "us-east-1", f"ml.{family}.xlarge")


@pytest.mark.parametrize(
    ("framework", "version", "region", "instance", "about"),
    [
        ("skleran", "1.2-1", "us-east-1", "ml.m5.large", "framework"),
        ("sklearn", "7", "us-east-1", "ml.m5.large", "version"),
        ("sklearn", "", "us-east-1", "ml.m5.large", "version"),
        ("sklearn", "1.2-1", "mars-north-1", "ml.m5.large", "region"),
        ("sklearn", "1.2-1", "us-east-1", "ml.p3.2xlarge", "instance"),
    ],
)
def test_what_there_is_no_image_for(framework: str, version: str, region: str, instance: str, about: str) -> None:
    with pytest.raises(UnknownImage) as unknown:
        image_uri(framework, version, region, instance)
    assert unknown.value.about == about
    assert unknown.value.what
    assert unknown.value.fix


def test_the_regions_that_the_old_product_refused_have_images() -> None:
    for region in ("me-south-1", "af-south-1", "il-central-1", "mx-central-1"):
        assert region in image_uri("pytorch", "2.1", region, "ml.m5.large")


def test_every_image_of_the_table_is_one_that_ecr_takes() -> None:
    seen = 0
    for scopes in table().images.values():
        for versions in scopes.values():
            for image in versions.values():
                assert image.accounts
                assert image.tags
                region, account = next(iter(image.accounts.items()))
                for tag in image.tags.values():
                    host = next(host for start, host in table().hosts if region.startswith(start))
                    assert images.ECR_URI.fullmatch(f"{account}.dkr.ecr.{region}.{host}/{tag}"), tag
                    seen += 1
    assert seen > 1_000
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", table().date)
    assert table().source


def test_every_inference_image_resolves_where_it_says() -> None:
    resolved = 0
    for framework, scopes in table().images.items():
        for version, image in scopes.get("inference", {}).items():
            for region in image.accounts:
                tags = image.tags
                instance = "ml.m5.large" if {"cpu", "*"} & set(tags) else f"ml.{next(iter(tags))}.xlarge"
                if "gpu" in tags and not {"cpu", "*"} & set(tags):
                    instance = "ml.g5.xlarge"
                uri = image_uri(framework, version, region, instance)
                assert repository_arn(uri, "aws").startswith(f"arn:aws:ecr:{region}:")
                resolved += 1
    assert resolved > 5_000


@pytest.mark.parametrize("uri", ["nginx", "public.ecr.aws/x/y:1", "123.dkr.ecr.us-east-1.amazonaws.com/x", ""])
def test_uris_that_are_none_of_ecr(uri: str) -> None:
    assert images.uri_region(uri) == ""
    with pytest.raises(UnknownImage):
        repository_arn(uri, "aws")
