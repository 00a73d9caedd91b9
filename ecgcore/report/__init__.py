"""Reports as PDF: of one review (``review``), and of the labels of a data set (``label_quality``)."""
