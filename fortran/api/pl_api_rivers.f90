!> Facade: drainage directions, the order of a river network, and one step of its water.
!>
!> Cells are numbered from 1 here, from 0 in messages; 0 as a receiving cell leaves the domain, -1 is a sink.
!> `reach` is (ncell, 5) and `lake` (nlake, 5), as in pl_river_step and pl_river_lake.
module pl_api_rivers
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_chunk, only: chunk_width
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_kinds, only: rk
   use pl_river_flood, only: drain_by_elevation, ndirection, stays_in_sink
   use pl_river_lake, only: lake_area, lake_type
   use pl_river_network, only: check_downstream, find_spills, order_upstream_first, sum_along
   use pl_river_step, only: nlake_flux, nreach, river_network_type, river_step, scheme_kinematic, scheme_linear
   implicit none (type, external)
   private
   public :: rivers_advance, rivers_drain, rivers_lake_area, rivers_order, rivers_spill

   integer, parameter :: nlake_property = 5 !! cell area, reference area and volume, exponent, spill volume

contains

   !> Directions from elevation; `is_sink` is 1 for sinks, given ones and, on return, all.
   subroutine rivers_drain(neighbour, distance, elevation, fill_depth, is_sink, filled, downstream, ierr, errmsg)
      integer, intent(in) :: neighbour(:, :)      !! (8, ncell) neighbours, 0 outside
      real(rk), intent(in) :: distance(:, :)      !! (8, ncell) to them [m]
      real(rk), intent(in) :: elevation(:)        !! (ncell) [m]
      real(rk), intent(in) :: fill_depth          !! depressions up to this depth are filled [m]
      integer, intent(inout) :: is_sink(:)        !! (ncell)
      real(rk), intent(inout) :: filled(:)        !! (ncell) [m]
      integer, intent(inout) :: downstream(:)     !! (ncell)
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      logical, allocatable :: sink(:)
      integer :: ncell
      ncell = size(elevation)
      if (any(shape(neighbour) /= [ndirection, ncell]) .or. any(shape(distance) /= [ndirection, ncell]) .or. &
          size(is_sink) /= ncell .or. size(filled) /= ncell .or. size(downstream) /= ncell) then
         call raise_error(error, error_input, "rivers_drain: neighbour and distance must be (8, ncell), "// &
                          "the others (ncell)")
      else if (.not. all(ieee_is_finite(elevation))) then
         call raise_error(error, error_input, "rivers_drain: elevation holds NaN or infinity")
      else if (any(neighbour < 0) .or. any(neighbour > ncell)) then
         call raise_error(error, error_input, "rivers_drain: a neighbour is not a cell")
      else if (.not. all(distance > 0.0_rk)) then
         call raise_error(error, error_input, "rivers_drain: every distance must be positive")
      else if (.not. fill_depth >= 0.0_rk) then
         call raise_error(error, error_input, "rivers_drain: fill_depth must not be negative")
      else
         sink = is_sink /= 0
         call drain_by_elevation(neighbour, distance, elevation, fill_depth, sink, filled, downstream)
         is_sink = merge(1, 0, sink)
      end if
      call report(error, ierr, errmsg)
   end subroutine rivers_drain

   !> Order of the sweep and sums along the network.
   subroutine rivers_order(downstream, spill, area, time, order, upstream_area, terminal, travel_time, ierr, errmsg)
      integer, intent(in) :: downstream(:)        !! (ncell)
      integer, intent(in) :: spill(:)             !! (ncell) cell that a full lake spills to, 0 without
      real(rk), intent(in) :: area(:)             !! (ncell) [m2]
      real(rk), intent(in) :: time(:)             !! (ncell) for passing a cell [s]
      integer, intent(inout) :: order(:)          !! (ncell) cells, upstream first
      real(rk), intent(inout) :: upstream_area(:) !! (ncell) [m2]
      integer, intent(inout) :: terminal(:)       !! (ncell) outlet or sink of each cell
      real(rk), intent(inout) :: travel_time(:)   !! (ncell) [s]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      integer :: ncell
      ncell = size(downstream)
      if (any([size(spill), size(area), size(time), size(order), size(upstream_area), size(terminal), &
               size(travel_time)] /= ncell)) then
         call raise_error(error, error_input, "rivers_order: all arrays must be (ncell)")
      else
         call check_downstream(downstream, "rivers", error)
         if (.not. allocated(error)) call check_downstream(spill, "spills of lakes", error)
         if (.not. allocated(error)) call order_upstream_first(downstream, spill, order, error)
         if (.not. allocated(error)) call sum_along(order, downstream, area, time, upstream_area, terminal, travel_time)
      end if
      call report(error, ierr, errmsg)
   end subroutine rivers_order

   !> Where lakes spill.
   subroutine rivers_spill(downstream, terminal, flooded_way, can_spill, spill, ierr, errmsg)
      integer, intent(in) :: downstream(:)   !! (ncell)
      integer, intent(in) :: terminal(:)     !! (ncell) outlet or sink of each cell
      integer, intent(in) :: flooded_way(:)  !! (ncell) directions with all depressions filled
      integer, intent(in) :: can_spill(:)    !! (ncell) 1 for sinks whose lake may be full
      integer, intent(inout) :: spill(:)     !! (ncell)
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (any([size(terminal), size(flooded_way), size(can_spill), size(spill)] /= size(downstream))) then
         call raise_error(error, error_input, "rivers_spill: all arrays must be (ncell)")
      else
         call find_spills(downstream, terminal, flooded_way, can_spill /= 0, spill)
      end if
      call report(error, ierr, errmsg)
   end subroutine rivers_spill

   !> Area of lakes from their volume.
   subroutine rivers_lake_area(lake, volume, area, ierr, errmsg)
      real(rk), intent(in) :: lake(:, :)         !! (nlake, 5)
      real(rk), intent(in) :: volume(:, :)       !! (nmember, nlake) [m3]
      real(rk), intent(inout) :: area(:, :)      !! (nmember, nlake) [m2]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(lake_type) :: one
      real(rk) :: full(chunk_width), result(chunk_width)
      integer :: number, first, last
      if (size(lake, 2) /= nlake_property .or. size(volume, 2) /= size(lake, 1) .or. &
          any(shape(area) /= shape(volume))) then
         call raise_error(error, error_input, "rivers_lake_area: lake must be (nlake, 5), the others (nmember, nlake)")
      else
         do number = 1, size(lake, 1)
            one = lake_of_row(lake(number, :))
            do first = 1, size(volume, 1), chunk_width
               last = min(first + chunk_width - 1, size(volume, 1))
               full = volume(last, number)
               full(:last - first + 1) = volume(first:last, number)
               call lake_area(one, full, result)
               area(first:last, number) = result(:last - first + 1)
            end do
         end do
      end if
      call report(error, ierr, errmsg)
   end subroutine rivers_lake_area

   !> Advance all rivers and lakes.
   subroutine rivers_advance(dt, nsub, scheme, order, downstream, spill, lake_of, reach, lake, runoff, rain, &
                             evaporation, storage, lake_volume, discharge, inflow, deficit, lake_flux, ierr, errmsg)
      real(rk), intent(in) :: dt                    !! step [s]
      integer, intent(in) :: nsub                   !! equal sub-steps
      integer, intent(in) :: scheme                 !! 1 linear reservoirs, 2 kinematic wave
      integer, intent(in) :: order(:)               !! (ncell) cells, upstream first
      integer, intent(in) :: downstream(:)          !! (ncell)
      integer, intent(in) :: spill(:)               !! (ncell)
      integer, intent(in) :: lake_of(:)             !! (ncell) number of the lake of a sink, 0 elsewhere
      real(rk), intent(in) :: reach(:, :)           !! (ncell, 5)
      real(rk), intent(in) :: lake(:, :)            !! (nlake, 5)
      real(rk), intent(in) :: runoff(:, :)          !! (nmember, ncell) [kg m-2 s-1]
      real(rk), intent(in) :: rain(:, :)            !! (nmember, nlake) [kg m-2 s-1]
      real(rk), intent(in) :: evaporation(:, :)     !! (nmember, nlake) [kg m-2 s-1]
      real(rk), intent(inout) :: storage(:, :)      !! (nmember, ncell) [m3]
      real(rk), intent(inout) :: lake_volume(:, :)  !! (nmember, nlake) [m3]
      real(rk), intent(inout) :: discharge(:, :)    !! (nmember, ncell) [m3 s-1]
      real(rk), intent(inout) :: inflow(:, :)       !! (nmember, ncell) [m3 s-1]
      real(rk), intent(inout) :: deficit(:, :)      !! (nmember, ncell) [m3 s-1]
      real(rk), intent(inout) :: lake_flux(:, :, :) !! (nmember, nlake, 3) [m3 s-1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(river_network_type) :: network
      integer :: number
      call check_network(scheme, order, downstream, spill, lake_of, reach, lake, error)
      if (.not. allocated(error)) call check_water(dt, nsub, size(order), size(lake, 1), runoff, rain, evaporation, &
                                                   storage, lake_volume, discharge, inflow, deficit, lake_flux, error)
      if (.not. allocated(error)) then
         network%scheme = scheme
         network%order = order
         network%downstream = downstream
         network%spill = spill
         network%lake_of = lake_of
         network%reach = reach
         allocate (network%lake(size(lake, 1)))
         do number = 1, size(lake, 1)
            network%lake(number) = lake_of_row(lake(number, :))
         end do
         call river_step(network, dt, nsub, runoff, rain, evaporation, storage, lake_volume, discharge, inflow, &
                         deficit, lake_flux, error)
      end if
      call report(error, ierr, errmsg)
   end subroutine rivers_advance

   !> A lake from a row of properties.
   pure type(lake_type) function lake_of_row(row)
      real(rk), intent(in) :: row(:) !! (5)
      lake_of_row = lake_type(row(1), row(2), row(3), row(4), row(5))
   end function lake_of_row

   !> Shapes and ranges of a network.
   subroutine check_network(scheme, order, downstream, spill, lake_of, reach, lake, error)
      integer, intent(in) :: scheme
      integer, intent(in) :: order(:)
      integer, intent(in) :: downstream(:)
      integer, intent(in) :: spill(:)
      integer, intent(in) :: lake_of(:)
      real(rk), intent(in) :: reach(:, :)
      real(rk), intent(in) :: lake(:, :)
      type(error_type), allocatable, intent(out) :: error
      integer :: ncell, nlake
      ncell = size(order)
      nlake = size(lake, 1)
      if (any([size(downstream), size(spill), size(lake_of), size(reach, 1)] /= ncell) .or. &
          size(reach, 2) /= nreach .or. size(lake, 2) /= nlake_property) then
         call raise_error(error, error_input, "rivers_advance: reach must be (ncell, 5), lake (nlake, 5), "// &
                          "the others (ncell)")
      else if (scheme /= scheme_linear .and. scheme /= scheme_kinematic) then
         call raise_error(error, error_input, "rivers_advance: scheme must be 1 (linear) or 2 (kinematic)")
      else if (any(order < 1) .or. any(order > ncell) .or. any(lake_of < 0) .or. any(lake_of > nlake)) then
         call raise_error(error, error_input, "rivers_advance: order or lake_of is out of range")
      else if (any((downstream == stays_in_sink) .neqv. (lake_of > 0))) then
         call raise_error(error, error_input, "rivers_advance: every sink needs a lake, and no other cell has one")
      else if (.not. (all(reach > 0.0_rk) .and. all(ieee_is_finite(reach)))) then
         call raise_error(error, error_input, "rivers_advance: area, length, velocity, width and conveyance "// &
                          "must be positive")
      else if (.not. (all(lake(:, 1:3) > 0.0_rk) .and. all(lake(:, 4:5) >= 0.0_rk) .and. &
                      all(lake(:, 4) <= 1.0_rk))) then
         call raise_error(error, error_input, "rivers_advance: areas and volumes of lakes must be positive, "// &
                          "exponents 0 to 1")
      end if
      if (.not. allocated(error)) call check_downstream(downstream, "rivers", error)
      if (.not. allocated(error)) call check_downstream(spill, "spills of lakes", error)
   end subroutine check_network

   !> Shapes and ranges of the water.
   subroutine check_water(dt, nsub, ncell, nlake, runoff, rain, evaporation, storage, lake_volume, discharge, inflow, &
                          deficit, lake_flux, error)
      real(rk), intent(in) :: dt                   !! [s]
      integer, intent(in) :: nsub
      integer, intent(in) :: ncell
      integer, intent(in) :: nlake
      real(rk), intent(in) :: runoff(:, :)         !! [kg m-2 s-1]
      real(rk), intent(in) :: rain(:, :)           !! [kg m-2 s-1]
      real(rk), intent(in) :: evaporation(:, :)    !! [kg m-2 s-1]
      real(rk), intent(in) :: storage(:, :)        !! [m3]
      real(rk), intent(in) :: lake_volume(:, :)    !! [m3]
      real(rk), intent(in) :: discharge(:, :)      !! [m3 s-1]
      real(rk), intent(in) :: inflow(:, :)         !! [m3 s-1]
      real(rk), intent(in) :: deficit(:, :)        !! [m3 s-1]
      real(rk), intent(in) :: lake_flux(:, :, :)   !! [m3 s-1]
      type(error_type), allocatable, intent(out) :: error
      integer :: rivers(2), lakes(2)
      rivers = [size(storage, 1), ncell]
      lakes = [size(storage, 1), nlake]
      if (any(shape(storage) /= rivers) .or. any(shape(runoff) /= rivers) .or. any(shape(discharge) /= rivers) .or. &
          any(shape(inflow) /= rivers) .or. any(shape(deficit) /= rivers) .or. any(shape(rain) /= lakes) .or. &
          any(shape(evaporation) /= lakes) .or. any(shape(lake_volume) /= lakes) .or. &
          any(shape(lake_flux) /= [lakes, nlake_flux]) .or. size(storage) == 0) then
         call raise_error(error, error_input, "rivers_advance: water of rivers must be (nmember, ncell), of lakes "// &
                          "(nmember, nlake), lake_flux (nmember, nlake, 3)")
      else if (.not. ieee_is_finite(dt)) then
         call raise_error(error, error_input, "rivers_advance: the time step must be a number")
      else if (dt <= 0.0_rk .or. nsub < 1) then
         call raise_error(error, error_input, "rivers_advance: the time step must be positive, with one "// &
                          "sub-step at least")
      else if (.not. all(ieee_is_finite(runoff))) then
         call raise_error(error, error_input, "rivers_advance: runoff holds NaN or infinity")
      else if (.not. (all(ieee_is_finite(rain)) .and. all(ieee_is_finite(evaporation)))) then
         call raise_error(error, error_input, "rivers_advance: rain or evaporation of lakes holds NaN or infinity")
      else if (any(rain < 0.0_rk) .or. any(evaporation < 0.0_rk)) then
         call raise_error(error, error_input, "rivers_advance: rain and evaporation of lakes must not be negative")
      else if (.not. (all(ieee_is_finite(storage)) .and. all(ieee_is_finite(lake_volume)))) then
         call raise_error(error, error_input, "rivers_advance: storage or lake volume holds NaN or infinity")
      else if (any(storage < 0.0_rk) .or. any(lake_volume < 0.0_rk)) then
         call raise_error(error, error_input, "rivers_advance: storage and lake volume must not be negative")
      end if
   end subroutine check_water

end module pl_api_rivers
