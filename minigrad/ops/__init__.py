"""Every primitive with its derivative, one file for each section of the Array API standard."""
