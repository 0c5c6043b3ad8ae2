pvf_add_fuzz(NAME scale USES base scale)
