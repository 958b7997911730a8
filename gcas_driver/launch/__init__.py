"""Starting the transport model: which runs a window needs, how the ensemble is split over them, and what each is given."""
