"""The widgets and services that the pages share."""
