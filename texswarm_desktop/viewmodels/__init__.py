"""What the windows show, as QObjects with signals and no widgets."""
