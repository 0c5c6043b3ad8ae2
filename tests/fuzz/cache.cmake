pvf_add_fuzz(NAME cache_meta USES base hash cache)
