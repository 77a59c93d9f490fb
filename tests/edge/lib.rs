//! Nothing: what there is are the tests, which build another `rolebox` than the rest of the workspace has.
