drop function papers.refresh_statistics;
