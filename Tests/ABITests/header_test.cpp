// The header as C++11 sees it, twice included.
#include "chroma.h"
#include "chroma.h"

int main() {
  chroma_engine_options engine = CHROMA_ENGINE_OPTIONS_INIT;
  chroma_collection_options collection = CHROMA_COLLECTION_OPTIONS_INIT;
  chroma_collection_view view = CHROMA_COLLECTION_VIEW_INIT;
  chroma_modify_options modify = CHROMA_MODIFY_OPTIONS_INIT;
  chroma_records records = CHROMA_RECORDS_INIT;
  chroma_delete_options remove = CHROMA_DELETE_OPTIONS_INIT;
  chroma_get_options get = CHROMA_GET_OPTIONS_INIT;
  chroma_count_options count = CHROMA_COUNT_OPTIONS_INIT;
  chroma_distinct_options distinct = CHROMA_DISTINCT_OPTIONS_INIT;
  chroma_distinct_view distinct_view = CHROMA_DISTINCT_VIEW_INIT;
  chroma_get_view get_view = CHROMA_GET_VIEW_INIT;
  chroma_query_options query = CHROMA_QUERY_OPTIONS_INIT;
  chroma_query_view query_view = CHROMA_QUERY_VIEW_INIT;
  chroma_explain_view explain = CHROMA_EXPLAIN_VIEW_INIT;
  chroma_search_view search = CHROMA_SEARCH_VIEW_INIT;
  chroma_long_call long_call = CHROMA_LONG_CALL_INIT;
  chroma_statistics statistics = CHROMA_STATISTICS_INIT;
  chroma_indexing_status indexing = CHROMA_INDEXING_STATUS_INIT;
  chroma_copy_view copy = CHROMA_COPY_VIEW_INIT;
  chroma_report_entry entry = CHROMA_REPORT_ENTRY_INIT;
  return engine.struct_size && collection.struct_size && view.struct_size && modify.struct_size &&
                 records.struct_size && remove.struct_size && get.limit == UINT64_MAX &&
                 count.struct_size && distinct.limit == UINT64_MAX && distinct_view.struct_size &&
                 get_view.struct_size && query.result_count == 10 && query_view.struct_size &&
                 explain.struct_size && search.struct_size && long_call.struct_size &&
                 statistics.struct_size && indexing.struct_size && copy.struct_size &&
                 entry.struct_size
             ? 0
             : 1;
}
