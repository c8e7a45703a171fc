"""The demonstration: an invented company's customers, and a page that plays the outside world."""
