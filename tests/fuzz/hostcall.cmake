pvf_add_fuzz(NAME hostcall USES hostcall)
