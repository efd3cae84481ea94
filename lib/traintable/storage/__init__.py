"""Folders and files on local disk and object stores."""
