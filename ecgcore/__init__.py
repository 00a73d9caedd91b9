"""ECG Lightbox: open, judge, explain and relabel 12-lead electrocardiograms.

The package behind the pages. Importing it costs nothing: heavy libraries load when first used.
"""

__version__ = "0.1.0"

DISCLAIMER = "Research use only; not a medical device"
