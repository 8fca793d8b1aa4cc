"""Widgets for the algorithm dialogs; imported only when a dialog opens."""
