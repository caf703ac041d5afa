"""The steps of the workload authcache."""
