"""Tests that catch the mistakes of published meta-learning code: `audit(learner, tasks)`."""

from metalearn_lib.auditing.audit import audit
from metalearn_lib.auditing.report import Finding, Report

__all__ = ["Finding", "Report", "audit"]
