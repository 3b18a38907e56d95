"""Starting and stopping releases: one file a driver, and the contract that all keep."""
