"""Reports as PDF: of one review (``review``), of a data set's labels (``label_quality``)."""
