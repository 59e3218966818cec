!> Water between land columns and the distributed subsurface, whose layers may differ.
!>
!> Up come liquid water, pressure head and ponded water; down go water at the surface, root uptake and ice. A layer of
!> the land gets its share of every layer of the subsurface that it overlaps, and gives in the same shares: what one side
!> loses the other gains. Ice is held by pieces, each a part of one layer of the land and one of the ground. With f the
!> share of the pores of a piece that is ice, and F that of its cell,
!>    liquid of the piece = (1 - f)/(1 - F) liquid of the cell,
!> so that the pieces of a cell add up to it, and none holds more than its pores. Ice that grows in a layer takes from its
!> pieces in proportion to the liquid above the residual water, ice that melts in proportion to the ice.
module pl_coupled_water
   use pl_chunk, only: w => chunk_width
   use pl_column_model, only: column_model_type
   use pl_constants, only: density_water
   use pl_coupled_model, only: coupled_model_type
   use pl_error, only: error_type
   use pl_flow_model, only: flow_model_type
   use pl_flow_water, only: create_ice, follow_ice, liquid_water
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: send_ice, send_water, settle_demand, show_water, spread_ice

contains

   !> Let the columns of a member see its water; all ranks together.
   subroutine show_water(coupled, land, flow, member)
      type(coupled_model_type), intent(in) :: coupled
      type(column_model_type), intent(inout) :: land
      type(flow_model_type), intent(inout) :: flow
      integer, intent(in) :: member !! from 1 [1]
      real(rk), allocatable :: water(:, :, :), frozen(:, :)
      real(rk) :: share
      integer :: c, first, k, n, piece
      allocate (water(flow%nx, flow%nz, flow%ny), frozen(coupled%ncell, flow%nz))
      call liquid_water(flow, member, water)
      first = (member - 1)*coupled%ncell
      call frozen_share(coupled, land, flow, member, frozen)
      associate (seen => land%water%soil_water, heads => land%water%pressure_head, overlap => coupled%overlap)
         seen(first + 1:first + coupled%ncell, :) = 0.0_rk
         heads(first + 1:first + coupled%ncell, :) = 0.0_rk
         do piece = 1, overlap%count
            c = overlap%ground(piece)
            k = overlap%land(piece)
            share = overlap%land_share(piece)
            do n = 1, coupled%ncell
               seen(first + n, k) = seen(first + n, k) + share*piece_liquid( &
                                    land%piece_ice(first + n, piece), pores(coupled, flow, n, c), frozen(n, c), &
                                    water(coupled%x(n), c, coupled%y(n)))
               heads(first + n, k) = heads(first + n, k) + share*flow%heads(coupled%x(n), c, coupled%y(n), member)
            end do
         end do
         do n = 1, coupled%ncell
            land%water%surface_water(first + n, 1) = density_water*flow%pond(coupled%x(n), coupled%y(n)) &
                                                     *max(flow%heads(coupled%x(n), 1, coupled%y(n), member), 0.0_rk)
         end do
      end associate
   end subroutine show_water

   !> Liquid of a piece of a cell [m3 m-3].
   pure real(rk) function piece_liquid(ice, porosity, frozen, water)
      real(rk), intent(in) :: ice      !! of the piece [m3 m-3]
      real(rk), intent(in) :: porosity !! of the cell [m3 m-3]
      real(rk), intent(in) :: frozen   !! share of its pores that is ice [1]
      real(rk), intent(in) :: water    !! its liquid [m3 m-3]
      piece_liquid = water*((1.0_rk - ice/porosity)/(1.0_rk - frozen))
   end function piece_liquid

   !> Porosity of a cell.
   pure real(rk) function pores(coupled, flow, n, c)
      type(coupled_model_type), intent(in) :: coupled
      type(flow_model_type), intent(in) :: flow
      integer, intent(in) :: n !! cell of the land
      integer, intent(in) :: c !! layer of the subsurface
      integer :: kind
      kind = flow%class(coupled%x(n), c, coupled%y(n)) - 1
      pores = flow%soil%table%porosity(mod(kind, w) + 1, kind/w + 1)
   end function pores

   !> Share of the pores of each cell that is ice of the land.
   subroutine frozen_share(coupled, land, flow, member, frozen)
      type(coupled_model_type), intent(in) :: coupled
      type(column_model_type), intent(in) :: land
      type(flow_model_type), intent(in) :: flow
      integer, intent(in) :: member                              !! from 1 [1]
      real(rk), intent(out) :: frozen(coupled%ncell, flow%nz)    !! [1]
      integer :: c, first, n, piece
      first = (member - 1)*coupled%ncell
      frozen = 0.0_rk
      if (.not. flow%has_ice) return
      do piece = 1, coupled%overlap%count
         c = coupled%overlap%ground(piece)
         do n = 1, coupled%ncell
            frozen(n, c) = frozen(n, c) + coupled%overlap%ground_share(piece) &
                           *land%piece_ice(first + n, piece)/pores(coupled, flow, n, c)
         end do
      end do
   end subroutine frozen_share

   !> Ice of all layers of the land spread over their pieces by the pores of the cells.
   subroutine spread_ice(coupled, land, flow)
      type(coupled_model_type), intent(in) :: coupled
      type(column_model_type), intent(inout) :: land
      type(flow_model_type), intent(in) :: flow
      integer :: column, n, piece
      do piece = 1, coupled%overlap%count
         do column = 1, land%ncolumn
            n = mod(column - 1, coupled%ncell) + 1
            associate (k => coupled%overlap%land(piece))
               land%piece_ice(column, piece) = land%land%soil_ice(column, k)/land%water_parameters%porosity(column, k) &
                                               *pores(coupled, flow, n, coupled%overlap%ground(piece))
            end associate
         end do
      end do
   end subroutine spread_ice

   !> Ice that has grown or melted in the layers of the land, in their pieces.
   subroutine share_growth(coupled, land, flow, member, frozen, water)
      type(coupled_model_type), intent(in) :: coupled
      type(column_model_type), intent(inout) :: land
      type(flow_model_type), intent(in) :: flow
      integer, intent(in) :: member                                     !! from 1 [1]
      real(rk), intent(in) :: frozen(coupled%ncell, flow%nz)            !! before [1]
      real(rk), intent(in) :: water(flow%nx, flow%nz, flow%ny)          !! liquid before [m3 m-3]
      real(rk), dimension(coupled%ncell, land%nlayer) :: ice, mobile
      real(rk), dimension(coupled%ncell, coupled%overlap%count) :: free
      real(rk) :: growth
      integer :: c, class, first, k, n, piece
      first = (member - 1)*coupled%ncell
      ice = 0.0_rk
      mobile = 0.0_rk
      do piece = 1, coupled%overlap%count
         c = coupled%overlap%ground(piece)
         k = coupled%overlap%land(piece)
         do n = 1, coupled%ncell
            class = flow%class(coupled%x(n), c, coupled%y(n)) - 1
            free(n, piece) = max(piece_liquid(land%piece_ice(first + n, piece), pores(coupled, flow, n, c), frozen(n, c), &
                                              water(coupled%x(n), c, coupled%y(n))) &
                                 - flow%soil%table%residual_water(mod(class, w) + 1, class/w + 1), 0.0_rk)
            mobile(n, k) = mobile(n, k) + coupled%overlap%land_share(piece)*free(n, piece)
            ice(n, k) = ice(n, k) + coupled%overlap%land_share(piece)*land%piece_ice(first + n, piece)
         end do
      end do
      do piece = 1, coupled%overlap%count
         k = coupled%overlap%land(piece)
         do n = 1, coupled%ncell
            growth = land%land%soil_ice(first + n, k) - ice(n, k)
            associate (held => land%piece_ice(first + n, piece))
               if (growth > 0.0_rk .and. mobile(n, k) > 0.0_rk) then
                  held = held + free(n, piece)*(growth/mobile(n, k))
               else if (land%land%soil_ice(first + n, k) <= 0.0_rk) then
                  held = 0.0_rk
               else if (growth < 0.0_rk) then
                  held = held*(land%land%soil_ice(first + n, k)/ice(n, k))
               end if
            end associate
         end do
      end do
   end subroutine share_growth

   !> Hand the ice of the columns of a member down, its heads follow; all ranks together.
   subroutine send_ice(coupled, land, flow, member, has_grown, error)
      type(coupled_model_type), intent(inout) :: coupled
      type(column_model_type), intent(inout) :: land
      type(flow_model_type), intent(inout) :: flow
      integer, intent(in) :: member !! from 1 [1]
      logical, intent(in) :: has_grown !! ice of the layers has changed with their heat; else the pieces are as they are set
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      real(rk), allocatable :: frozen(:, :), ice(:, :, :), water(:, :, :)
      integer :: c, n
      call create_ice(flow, error)
      if (allocated(error)) return
      allocate (frozen(coupled%ncell, flow%nz), ice(flow%nx, flow%nz, flow%ny), water(flow%nx, flow%nz, flow%ny))
      if (size(coupled%surplus) /= flow%nmember*size(ice)) then
         deallocate (coupled%surplus)
         allocate (coupled%surplus(flow%nx, flow%nz, flow%ny, flow%nmember), source=0.0_rk)
      end if
      if (has_grown) then
         call liquid_water(flow, member, water)
         call frozen_share(coupled, land, flow, member, frozen)
         call share_growth(coupled, land, flow, member, frozen, water)
      end if
      call frozen_share(coupled, land, flow, member, frozen)
      ice = 0.0_rk
      do c = 1, flow%nz
         do n = 1, coupled%ncell
            ice(coupled%x(n), c, coupled%y(n)) = frozen(n, c)*pores(coupled, flow, n, c)
         end do
      end do
      call follow_ice(flow, member, ice, coupled%surplus(:, :, :, member))
   end subroutine send_ice

   !> Hand down what the columns of a member ask for and bring.
   subroutine send_water(coupled, land, flow, member, dt)
      type(coupled_model_type), intent(inout) :: coupled
      type(column_model_type), intent(in) :: land
      type(flow_model_type), intent(inout) :: flow
      integer, intent(in) :: member !! from 1 [1]
      real(rk), intent(in) :: dt    !! [s]
      integer :: c, first, k, n, piece
      first = (member - 1)*coupled%ncell
      flow%rain = 0.0_rk
      flow%source = 0.0_rk
      if (size(coupled%surplus) >= size(flow%source)) flow%source = coupled%surplus(:, :, :, member)/dt
      do piece = 1, coupled%overlap%count
         c = coupled%overlap%ground(piece)
         k = coupled%overlap%land(piece)
         do n = 1, coupled%ncell
            flow%source(coupled%x(n), c, coupled%y(n)) = flow%source(coupled%x(n), c, coupled%y(n)) &
               - coupled%overlap%land_share(piece)*coupled%root_uptake(first + n, k)/density_water
         end do
      end do
      do n = 1, coupled%ncell
         flow%rain(coupled%x(n), coupled%y(n)) = flow%pond(coupled%x(n), coupled%y(n)) &
                                                 *coupled%surface_input(first + n)/density_water
      end do
      coupled%pond_before = land%water%surface_water(first + 1:first + coupled%ncell, 1)
   end subroutine send_water

   !> What the subsurface did not give in the step, and what passed the surface; after `show_water` of its end.
   subroutine settle_demand(coupled, land, flow, member, dt)
      type(coupled_model_type), intent(inout) :: coupled
      type(column_model_type), intent(in) :: land
      type(flow_model_type), intent(in) :: flow
      integer, intent(in) :: member !! from 1 [1]
      real(rk), intent(in) :: dt    !! [s]
      real(rk) :: from_soil, met, to_flux
      integer :: column, n, x, y
      to_flux = density_water/dt
      do n = 1, coupled%ncell
         column = (member - 1)*coupled%ncell + n
         x = coupled%x(n)
         y = coupled%y(n)
         met = to_flux*flow%volume_rain(x, y)
         coupled%unmet_evaporation(column) = max(met - coupled%surface_input(column), 0.0_rk)
         coupled%unmet_transpiration(column) = &
            max(to_flux*sum(flow%volume_source(x, :, y) - dt*flow%source(x, :, y)), 0.0_rk)
         coupled%surface_runoff(column) = to_flux*flow%volume_runoff(x, y)
         ! evaporation takes the pond first; what the soil gave of it did not come through the surface as water
         from_soil = max(-met - coupled%pond_before(n)/dt, 0.0_rk)
         coupled%infiltration(column) = met + from_soil - coupled%surface_runoff(column) - to_flux*flow%volume_spread(x, y) &
                                        - (land%water%surface_water(column, 1) - coupled%pond_before(n))/dt
      end do
   end subroutine settle_demand

end module pl_coupled_water
