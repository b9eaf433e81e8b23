"""The windows: widgets over view-models, and all the words a person reads. They know nothing of links or disks."""
