"""What a researcher looks at: tables, figures, and one page that holds the whole study."""

from causalablate.report.accuracy import Accuracy, accuracy, majority_accuracy
from causalablate.report.gallery import Gallery, GalleryExample
from causalablate.report.write import ReportPaths, write_report

__all__ = [
    "Accuracy",
    "Gallery",
    "GalleryExample",
    "ReportPaths",
    "accuracy",
    "majority_accuracy",
    "write_report",
]
