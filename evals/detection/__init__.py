"""Detection measured on other companies' messages: whole data sets left out in turn."""
