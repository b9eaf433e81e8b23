"""Makes the lists of a report sheet from what came of bringing in or giving out."""

from texswarm_desktop.client.status import Tone
from texswarm_desktop.services.exporting import ExportReport
from texswarm_desktop.services.importing import ImportReport
from texswarm_desktop.ui.dialogs.report_sheet import Section
from texswarm_desktop.ui.transfer_texts import REFUSAL_WORDS, advice_words, file_count, size_words


def import_summary(report: ImportReport) -> str:
    """Return what came in, as a sentence or two."""
    return (
        f"{file_count(report.files)} ({size_words(report.size_bytes)}) came into {report.folder}. "
        f"{file_count(len(report.refused))} of the archive did not."
    )


def import_sections(report: ImportReport) -> list[Section]:
    """Return what was left out, and why."""
    return [Section("Left out", [(one.name, REFUSAL_WORDS[one.reason]) for one in report.refused], Tone.BUSY)]


def export_summary(report: ExportReport) -> str:
    """Return what went out, as a sentence."""
    return f"{file_count(report.files)} in {report.archive} ({size_words(report.size_bytes)})."


def export_sections(report: ExportReport) -> list[Section]:
    """Return the lists of a report, what needs the user first."""
    bundle = report.bundle
    left_out = Section("Not in it", [(path, "") for path in report.left_out])
    if bundle is None:
        return [left_out]
    missing = [(one.name, f"needed in {one.by}, line {one.line}") for one in bundle.missing]
    return [
        Section("Missing", missing, Tone.BAD),
        Section("To look at", [("", advice_words(one)) for one in bundle.remarks], Tone.BUSY),
        Section("In the bundle", [(one.path, _origin(one.path, one.source)) for one in bundle.files], Tone.GOOD),
        Section("Put into another file", [(path, "") for path in bundle.flattened], Tone.GOOD),
        left_out,
    ]


def _origin(path: str, source: str) -> str:
    if not source:
        return "names the main file for arXiv"
    return "" if f"/{source}".endswith(f"/{path}") else f"was {source}"
