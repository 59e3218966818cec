!> Width of a chunk of columns: the vector length of every kernel.
!>
!> Kernels receive arrays of exactly this many columns, so that loops have a trip count known to the
!> compiler and no scalar tail: a column takes the same instructions wherever it lies, and results do
!> not depend on threads, ranks or the number of columns. Lanes beyond the last column are loaded with
!> a copy of the last valid column and never stored.
module pl_chunk
   implicit none (type, external)
   private
   public :: chunk_count, chunk_width, first_column, last_column, lane_source

   integer, parameter :: chunk_width = 32 !! columns per chunk (4 AVX-512 or 8 AVX2 vectors of doubles)

contains

   !> Number of chunks that cover `ncolumn` columns.
   pure integer function chunk_count(ncolumn)
      integer, intent(in) :: ncolumn !! number of columns [1]
      chunk_count = (ncolumn + chunk_width - 1)/chunk_width
   end function chunk_count

   !> First column of a chunk.
   pure integer function first_column(chunk)
      integer, intent(in) :: chunk !! chunk index, from 1
      first_column = (chunk - 1)*chunk_width + 1
   end function first_column

   !> Last column of a chunk.
   pure integer function last_column(chunk, ncolumn)
      integer, intent(in) :: chunk   !! chunk index, from 1
      integer, intent(in) :: ncolumn !! number of columns [1]
      last_column = min(chunk*chunk_width, ncolumn)
   end function last_column

   !> Column that feeds lane `lane` of chunk `chunk` (the last column feeds the lanes beyond it).
   pure integer function lane_source(chunk, lane, ncolumn)
      integer, intent(in) :: chunk   !! chunk index, from 1
      integer, intent(in) :: lane    !! lane index, 1 to `chunk_width`
      integer, intent(in) :: ncolumn !! number of columns [1]
      lane_source = min((chunk - 1)*chunk_width + lane, ncolumn)
   end function lane_source

end module pl_chunk
