!> Drainage directions of a grid from its elevation.
!>
!> Depressions are filled by priority-flood (Barnes, Lehman and Mulla 2014, Computers & Geosciences 62, 117-127,
!> algorithm 1, with first-in first-out order among equals, so that a flat is crossed on the shortest way); a cell then
!> drains to the neighbour of steepest descent on the filled surface (O'Callaghan and Mark 1984), and on a flat along
!> the way the flood came. Along these directions (filled elevation, order of flooding) falls strictly: there is no
!> cycle.
!>
!> Depressions deeper than a given depth stay: their lowest cell is a sink, and the flood starts there too.
!> Cells have eight neighbours, in the order of the table `neighbour(8, ncell)`; 0 stands for a cell outside the domain.
module pl_river_flood
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: drain_by_elevation, leaves_domain, ndirection, stays_in_sink

   integer, parameter :: ndirection = 8     !! neighbours of a cell
   integer, parameter :: leaves_domain = 0  !! instead of a cell: the water leaves the domain
   integer, parameter :: stays_in_sink = -1 !! instead of a cell: the water stays in a lake

   !> Cells at the edge of the flood, a binary heap: the lowest is taken first, the earliest among equals.
   type :: heap_type
      integer :: size = 0                    !! cells in the heap
      integer :: pushed = 0                  !! cells that were ever in it
      real(rk), allocatable :: level(:)      !! filled elevation [m]
      integer, allocatable :: arrival(:)     !! when the cell came
      integer, allocatable :: cell(:)        !! the cell
   end type heap_type

contains

   !> Directions of steepest descent, with depressions filled or kept.
   pure subroutine drain_by_elevation(neighbour, distance, elevation, fill_depth, is_sink, filled, downstream)
      integer, intent(in) :: neighbour(:, :)   !! (8, ncell) neighbours, 0 outside
      real(rk), intent(in) :: distance(:, :)   !! (8, ncell) to them [m]
      real(rk), intent(in) :: elevation(:)     !! (ncell) [m]
      real(rk), intent(in) :: fill_depth       !! depressions up to this depth are filled [m]
      logical, intent(inout) :: is_sink(:)     !! (ncell) in: sinks that are given; out: all sinks
      real(rk), intent(out) :: filled(:)       !! (ncell) elevation with depressions filled [m]
      integer, intent(out) :: downstream(:)    !! (ncell) cell that receives the water, or one of the two words above
      integer, allocatable :: parent(:)
      logical, allocatable :: is_border(:), is_seed(:)
      logical :: found
      integer :: cell
      allocate (parent(size(elevation)), is_border(size(elevation)), is_seed(size(elevation)))
      do cell = 1, size(elevation)
         is_border(cell) = any(neighbour(:, cell) == 0)
      end do
      do
         is_seed(:) = is_border .or. is_sink
         call flood(neighbour, elevation, is_seed, filled, parent)
         call keep_deep(neighbour, elevation, filled, fill_depth, is_sink, found)
         if (.not. found) exit
      end do
      do cell = 1, size(elevation)
         downstream(cell) = stays_in_sink
         if (is_sink(cell)) cycle
         downstream(cell) = steepest(cell, neighbour(:, cell), distance(:, cell), filled)
         if (downstream(cell) == 0) downstream(cell) = merge(leaves_domain, parent(cell), is_border(cell))
      end do
   end subroutine drain_by_elevation

   !> Neighbour of steepest descent; 0 if none lies lower.
   pure integer function steepest(cell, neighbour, distance, filled)
      integer, intent(in) :: cell             !! the cell
      integer, intent(in) :: neighbour(:)     !! (8) its neighbours
      real(rk), intent(in) :: distance(:)     !! (8) to them [m]
      real(rk), intent(in) :: filled(:)       !! (ncell) elevation [m]
      real(rk) :: slope, largest
      integer :: k
      steepest = 0
      largest = 0.0_rk
      do k = 1, ndirection
         if (neighbour(k) == 0) cycle
         slope = (filled(cell) - filled(neighbour(k)))/distance(k)
         if (slope > largest) then
            largest = slope
            steepest = neighbour(k)
         end if
      end do
   end function steepest

   !> Raise every cell to the lowest level from which water finds a way to a seed.
   pure subroutine flood(neighbour, elevation, is_seed, filled, parent)
      integer, intent(in) :: neighbour(:, :) !! (8, ncell)
      real(rk), intent(in) :: elevation(:)   !! (ncell) [m]
      logical, intent(in) :: is_seed(:)      !! (ncell) where the flood starts
      real(rk), intent(out) :: filled(:)     !! (ncell) [m]
      integer, intent(out) :: parent(:)      !! (ncell) cell from which the flood came; 0 at seeds
      type(heap_type) :: heap
      logical, allocatable :: is_reached(:)
      integer :: ncell, cell, k, other
      ncell = size(elevation)
      allocate (heap%level(ncell), heap%arrival(ncell), heap%cell(ncell))
      filled = elevation
      parent = 0
      is_reached = is_seed
      do cell = 1, ncell
         if (is_seed(cell)) call push(heap, filled(cell), cell)
      end do
      do while (heap%size > 0)
         call pop(heap, cell)
         do k = 1, ndirection
            other = neighbour(k, cell)
            if (other == 0) cycle
            if (is_reached(other)) cycle
            is_reached(other) = .true.
            filled(other) = max(elevation(other), filled(cell))
            parent(other) = cell
            call push(heap, filled(other), other)
         end do
      end do
   end subroutine flood

   !> Make the lowest cell of every depression that is deeper than `fill_depth` a sink.
   pure subroutine keep_deep(neighbour, elevation, filled, fill_depth, is_sink, found)
      integer, intent(in) :: neighbour(:, :) !! (8, ncell)
      real(rk), intent(in) :: elevation(:)   !! (ncell) [m]
      real(rk), intent(in) :: filled(:)      !! (ncell) [m]
      real(rk), intent(in) :: fill_depth     !! [m]
      logical, intent(inout) :: is_sink(:)   !! (ncell)
      logical, intent(out) :: found          !! whether there was one
      logical, allocatable :: is_seen(:)
      integer, allocatable :: stack(:)
      integer :: ncell, start, top, cell, lowest, k, other
      ncell = size(elevation)
      allocate (stack(ncell))
      is_seen = .not. (filled > elevation)
      found = .false.
      do start = 1, ncell
         if (is_seen(start)) cycle
         lowest = start
         is_seen(start) = .true.
         top = 1
         stack(1) = start
         do while (top > 0)
            cell = stack(top)
            top = top - 1
            if (elevation(cell) < elevation(lowest)) lowest = cell
            do k = 1, ndirection
               other = neighbour(k, cell)
               if (other == 0) cycle
               if (is_seen(other)) cycle
               if (filled(other) /= filled(start)) cycle
               is_seen(other) = .true.
               top = top + 1
               stack(top) = other
            end do
         end do
         if (filled(lowest) - elevation(lowest) > fill_depth) then
            is_sink(lowest) = .true.
            found = .true.
         end if
      end do
   end subroutine keep_deep

   !> Whether the entry at `one` leaves the heap before the entry at `two`.
   pure logical function is_before(heap, one, two)
      type(heap_type), intent(in) :: heap !! the heap
      integer, intent(in) :: one          !! a place
      integer, intent(in) :: two          !! another
      is_before = heap%level(one) < heap%level(two) .or. &
                  (heap%level(one) == heap%level(two) .and. heap%arrival(one) < heap%arrival(two))
   end function is_before

   !> Exchange two entries.
   pure subroutine swap(heap, one, two)
      type(heap_type), intent(inout) :: heap !! the heap
      integer, intent(in) :: one             !! a place
      integer, intent(in) :: two             !! another
      heap%level([one, two]) = heap%level([two, one])
      heap%arrival([one, two]) = heap%arrival([two, one])
      heap%cell([one, two]) = heap%cell([two, one])
   end subroutine swap

   !> Add a cell.
   pure subroutine push(heap, level, cell)
      type(heap_type), intent(inout) :: heap !! the heap
      real(rk), intent(in) :: level          !! its filled elevation [m]
      integer, intent(in) :: cell            !! the cell
      integer :: place
      heap%size = heap%size + 1
      heap%pushed = heap%pushed + 1
      place = heap%size
      heap%level(place) = level
      heap%arrival(place) = heap%pushed
      heap%cell(place) = cell
      do while (place > 1)
         if (.not. is_before(heap, place, place/2)) exit
         call swap(heap, place, place/2)
         place = place/2
      end do
   end subroutine push

   !> Take the first cell out.
   pure subroutine pop(heap, cell)
      type(heap_type), intent(inout) :: heap !! the heap
      integer, intent(out) :: cell           !! the cell
      integer :: place, child
      cell = heap%cell(1)
      call swap(heap, 1, heap%size)
      heap%size = heap%size - 1
      place = 1
      do
         child = 2*place
         if (child > heap%size) exit
         if (child < heap%size) then
            if (is_before(heap, child + 1, child)) child = child + 1
         end if
         if (.not. is_before(heap, child, place)) exit
         call swap(heap, child, place)
         place = child
      end do
   end subroutine pop

end module pl_river_flood
